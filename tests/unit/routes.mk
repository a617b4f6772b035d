# Tests of this room: see HACKING.md, "how tests are laid out".
