//! Which code unit of the original code is which of the patched code: what `f_lasti` and `tb_lasti` are translated by.

/// From `original` on, and until the next step, units are at `patched` and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) original: u32,
    pub(super) patched: u32,
    /// Where what was inserted begins; it ends at `patched`.
    pub(super) begin: u32,
    /// The unit that what was inserted stands for.
    pub(super) owner: u32,
}

/// Original and patched positions, in code units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitMap {
    pub(super) steps: Vec<Step>,
}

impl UnitMap {
    /// Where an original unit is now.
    pub fn to_patched(&self, original: u32) -> u32 {
        let after = self.steps.partition_point(|step| step.original <= original);
        after.checked_sub(1).map_or(original, |last| original - self.steps[last].original + self.steps[last].patched)
    }

    /// The original unit that a unit is or stands for: a probe stands for its instruction.
    pub fn to_original(&self, patched: u32) -> u32 {
        let after = self.steps.partition_point(|step| step.begin <= patched);
        let Some(step) = after.checked_sub(1).map(|last| &self.steps[last]) else { return patched };
        if patched < step.patched { step.owner } else { patched - step.patched + step.original }
    }

    /// As [`UnitMap::to_original`], of where a jump leads: to the probes before an instruction, or to its prefixes.
    pub fn target_to_original(&self, patched: u32) -> u32 {
        let after = self.steps.partition_point(|step| step.begin <= patched);
        let Some(step) = after.checked_sub(1).map(|last| &self.steps[last]) else { return patched };
        if patched < step.patched { step.original } else { patched - step.patched + step.original }
    }

    /// Whether a unit was inserted.
    pub fn is_inserted(&self, patched: u32) -> bool {
        let after = self.steps.partition_point(|step| step.begin <= patched);
        after.checked_sub(1).is_some_and(|last| patched < self.steps[last].patched)
    }
}
