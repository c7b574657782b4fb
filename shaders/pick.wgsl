// Which row of its source is row i of the minibatch.
// Needs a binding `order: array<u32>`.

// 0: row i; 1: row first_row + i; 2: row order[offset + first_row + i].
override PICK: u32 = 0u;

fn pick_row(i: u32, offset: u32) -> u32 {
    if (PICK == 2u) {
        return order[offset + args.first_row + i];
    }
    if (PICK == 1u) {
        return args.first_row + i;
    }
    return i;
}

