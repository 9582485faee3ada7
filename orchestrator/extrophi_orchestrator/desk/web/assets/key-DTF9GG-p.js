import{an as s,ar as c}from"./Button-CWZhmBfT.js";const k=Symbol("NaN");function N(r,n,e){var o=new c(r);s(()=>{var a=n();a!==a&&(a=k),o.ensure(a,e)})}export{N as k};
