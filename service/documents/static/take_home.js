// The print button of a client's page; nothing else on it needs a script.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => print());
