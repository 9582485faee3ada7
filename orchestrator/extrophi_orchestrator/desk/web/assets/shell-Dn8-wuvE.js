const e=new Set(["http:","https:","mailto:"]);function n(t){return URL.canParse(t)&&e.has(new URL(t).protocol)}export{n as i};
