import { localTimes } from "./times.js";

localTimes();
document.getElementById("print").addEventListener("click", () => print());
