//! What a list offers to its visitor.

/// What can be done from a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offers {
    /// One more can be made.
    pub make: bool,
    /// There is no dataset yet, so that no run can be made.
    pub no_datasets: bool,
    /// The demo can be loaded. It is offered where there is nothing yet.
    pub demo: bool,
}
