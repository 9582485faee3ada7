import{ai as s,am as c}from"./Button-CnivsQhf.js";const i=Symbol("NaN");function m(r,e,n){var o=new c(r);s(()=>{var a=e();a!==a&&(a=i),o.ensure(a,n)})}export{m as k};
