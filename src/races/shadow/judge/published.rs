//! Flags that say that something is there: whether an access goes by what one has said, and whether what it is about was whole by then.

use super::super::cell::{Cell, Read, Write, kind_of, mark, state};
use super::Now;
use crate::races::clock::Epoch;
use crate::races::matrix::AccessKind;
use crate::races::memory::{Flag, MEANWHILE, NEVER, is_before};
use std::sync::atomic::Ordering::Relaxed;

impl Now<'_> {
    /// Whether the thread that set `flag` had written this as well before it set the flag, and after it had set the flag before: then what the
    /// flag said was there, and what is written later belongs to another round.  As well if it has written this too often since, or others
    /// have, for that to be known still: how far a reader falls behind is luck.
    pub(super) fn was_complete(cell: &Cell, write: &Write, flag: Flag) -> bool {
        if u32::from(Epoch::from_bits(write.epoch.load(Relaxed)).slot()) != flag.setter {
            return cell.has_written(flag.setter);
        }
        let first = write.first.load(Relaxed);
        let is_known = |sequence: &u32| [NEVER, MEANWHILE].contains(sequence) || is_before(*sequence, flag.sequence);
        match [&write.sequence, &write.before].map(|sequence| sequence.load(Relaxed)).into_iter().find(is_known) {
            Some(NEVER) => false,
            Some(MEANWHILE) => first == MEANWHILE,
            Some(sequence) => flag.before != MEANWHILE && (flag.before == NEVER || is_before(flag.before, sequence)),
            None => first == MEANWHILE || is_before(first, flag.sequence),
        }
    }

    /// Whether this access goes by what a flag has said: in the function that has seen it, or in the one that has called that to ask.
    pub(super) fn heeds(&self, flag: Flag) -> bool {
        let is_other = flag.site != 0 && flag.site != self.access.site;
        flag.is_heeded_by(self.access) || is_other && (self.stacks.is_in_caller)(flag.stack, self.here.stack)
    }

    /// The flag that this read heeds, for `flag` of what is remembered of it; 0 for none.
    #[inline(never)]
    pub(super) fn heed(&self, cell: &Cell, own: &Read) -> u32 {
        let flag = self.memory.flag.get();
        own.flag_site.store(flag.site, Relaxed);
        let is_heeded = self.heeds(flag) && !Self::was_complete(cell, cell.last(), flag);
        if is_heeded { flag.packed() } else { 0 }
    }

    /// Whether there was nothing of this name before.
    pub(super) fn is_made(write: &Write) -> bool {
        const MADE: u16 = state::MADE | AccessKind::Write as u16;
        write.state.load(Relaxed) & (state::MADE | state::KIND) == MADE
    }

    /// Whether this reads what was made only when the reading thread had the object already.  It was not if the thread has heard of it since, by a
    /// flag of the one that has made it, or has written it itself.
    pub(super) fn is_made_late(&self, cell: &Cell, write: &Write, flag: Flag) -> bool {
        let is_told = || {
            let is_of_writer = flag.site != 0 && flag.setter == u32::from(Epoch::from_bits(write.epoch.load(Relaxed)).slot());
            is_of_writer && !is_before(flag.sequence, write.sequence.load(Relaxed))
        };
        self.access.facts.is_given() && !is_told() && !cell.has_written(u32::from(self.epoch.slot()))
    }

    /// Whether this writes over something whole, from before anything was remembered, or over what was written over that.
    pub(super) fn is_kept(&self, cell: &Cell) -> bool {
        let last = cell.last();
        let was_kept = kind_of(last.state.load(Relaxed)) == AccessKind::Write && cell.marks_of(last) & mark::KEPT != 0;
        self.access.facts.is_kept() || was_kept && last.epoch.load(Relaxed) != 0
    }
}
