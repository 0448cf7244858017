//! Which samples were seen before, told without keeping once more what they are told by.

use std::collections::HashMap;

use super::judged::Sample;

/// The first samples of their kind, by a hash of what they are told by: that itself is kept once,
/// in the sample. Two that share a hash by chance, one time in many millions of sources, are not
/// told apart from a third.
#[derive(Default)]
pub(crate) struct Firsts(HashMap<u64, usize>);

impl Firsts {
    /// The sample before the next one that is as that; where there is none, the next is the first.
    pub(crate) fn first<'a>(
        &mut self,
        hash: u64,
        samples: &'a [Sample],
        is_same: impl Fn(&Sample) -> bool,
    ) -> Option<&'a Sample> {
        let at = *self.0.entry(hash).or_insert(samples.len());
        samples.get(at).filter(|one| is_same(one))
    }
}
