import { localTimes } from "../shared/times.js";

localTimes();
document.getElementById("print").addEventListener("click", () => print());
