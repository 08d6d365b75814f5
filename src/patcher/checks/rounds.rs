//! Loops that change themselves what they look at, until there is no more to do: `while self.left > 0: self.left -= 1`.  They wait for nobody.

use super::subject::{acted, checked};
use crate::patcher::branches::comes_to;
use crate::patcher::code::Code;
use crate::patcher::found::Found;
use crate::patcher::instructions::Instruction;
use crate::patcher::names::Names;
use crate::patcher::opcodes::Opcodes;
use crate::patcher::point::Action;
use crate::patcher::tested::{Decision, Follow, decides, leaves_a_loop, loop_end};

/// Takes a look that leaves a loop for a check, if each round of that loop changes what is looked at, and not to a constant.
pub(super) fn mark(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], names: &Names<'_>, found: &mut [Found<'_>]) {
    for check in 0..found.len() {
        let is_value =
            matches!(found[check].point.action, Action::ReadAttribute | Action::ReadGlobal | Action::ReadCell | Action::ReadItem);
        if is_value && found[check].point.is_polled && is_changed(opcodes, code, all, names, found, check).is_some() {
            (found[check].point.is_polled, found[check].point.is_awaited) = (false, false);
        }
    }
}

/// Where the loop changes what the look is at, on each way to the next look.
fn is_changed(
    opcodes: &Opcodes,
    code: &Code<'_>,
    all: &[Instruction],
    names: &Names<'_>,
    found: &[Found<'_>],
    check: usize,
) -> Option<usize> {
    let look = found[check].instruction as usize;
    let subject = checked(&found[check].point, names.containers[check])?;
    let Decision::Jump(jump) = decides(opcodes, all, look, Follow::Checks)? else { return None };
    let goes_on = if leaves_a_loop(opcodes, all, jump)? { jump + 1 } else { all[jump].target? as usize };
    let end = loop_end(opcodes, all, look)?;
    let changes = |act: &usize| {
        let (Found { point, instruction, .. }, container) = (&found[*act], names.containers[*act]);
        let at = *instruction as usize;
        (look..=end).contains(&at)
            && point.value != 0
            && !point.is_constant
            && acted(point, container).as_ref() == Some(&subject)
            && !comes_to(opcodes, all, goes_on, at, look)
            // Under a lock it may look again at how much there is by then.
            && !takes_a_lock(opcodes, code, &all[look..at])
    };
    (0..found.len()).find(changes)
}

fn takes_a_lock(opcodes: &Opcodes, code: &Code<'_>, between: &[Instruction]) -> bool {
    between.iter().any(|instruction| {
        let is_method = instruction.opcode == opcodes.load_attr && instruction.argument & 1 == 1;
        let name = code.names.get((instruction.argument >> 1) as usize);
        instruction.opcode == opcodes.load_special || is_method && name == Some(&"acquire")
    })
}
