// A list of clients that is not shown while they are hidden.

import { onHideChange } from "./hide_clients.js";

onHideChange(() => location.reload());
