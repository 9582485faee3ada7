function s(r,t){return new Promise(n=>{const e=()=>{clearTimeout(o),t.removeEventListener("abort",e),n()},o=setTimeout(e,r);t.addEventListener("abort",e)})}export{s as p};
