// A list of clients that is not shown while they are hidden.

import { onHideChange } from "./privacy.js";

onHideChange(() => location.reload());
