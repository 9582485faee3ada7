document.querySelector("textarea").focus();
document.title = "The draft";
