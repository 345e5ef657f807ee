// Tools of the room page beside the session itself: the client's own screen, and putting the session under another client.

import { ClientSwitches } from "../client_screen/client_switches.js";
import { button } from "../../shared/dialog.js";
import { show } from "../../shared/dom.js";
import { Reassign } from "../live/reassign.js";

export class RoomTools {
  constructor(element, room, { trouble }) {
    this.element = element;
    this.state = null;
    this.reassign = new Reassign();
    this.change = button("Change client", "quiet", () => this.reassign.open(this.state));
    this.client = new ClientSwitches(room, { trouble });
  }

  update(state) {
    if (!this.state) this.element.append(this.change, this.client.open);
    this.state = state;
    show(this.change, !state.bench);
    this.client.update(state);
  }
}
