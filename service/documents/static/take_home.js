// A client's page prints; everything else on it needs no script.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => print());
