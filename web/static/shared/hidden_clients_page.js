// The page in place of a list of clients while clients are hidden.

import { onHideChange } from "./hide_clients.js";

onHideChange(() => location.reload());
