// Tools of the room page beside the session itself: the client's own screen, another strap, another client.

import { ChangeStrap } from "./change_strap.js";
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
    this.strap = new ChangeStrap();
    this.another = button("Another strap", "quiet", () => this.strap.open(this.state));
    this.client = new ClientSwitches(room, { trouble });
  }

  update(state) {
    if (!this.state) this.element.append(this.change, this.another, this.client.open);
    this.state = state;
    show(this.change, !state.bench);
    show(this.another, !state.bench && state.phase !== "ended");
    this.client.update(state);
  }
}
