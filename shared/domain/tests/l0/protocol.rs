//! The protocol that the workers follow, and known mistakes in it.

/// How a unit comes to its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submission {
    /// Intent, one call, record; an old intent is searched for.
    Intent,
    /// Looks whether there is a batch, creates one if not, then records it.
    CheckThenCreate,
    /// The intent is a lease: once it is over, the next one creates.
    LeaseOnly,
}

/// What the workers do. Everything `false` and [`Submission::Intent`] is the
/// protocol; each field is one way to get it wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol {
    /// How a unit comes to its batch.
    pub submission: Submission,
    /// An intent is searched for at once, not when its time is up.
    pub no_grace: bool,
    /// Lines of an output are joined to items by their order.
    pub positional: bool,
    /// A collection whose run was cancelled is dropped, whatever it wrote.
    pub drops_collection: bool,
    /// A retry is planned from outcomes of the round that is being planned, too.
    pub plans_from_own_round: bool,
    /// A deleted run is cleared while its workers may still write.
    pub clears_at_once: bool,
    /// A sweeper stops every unit that the run, as it once read it, does not
    /// want: also those of a retry since.
    pub stops_newer: bool,
    /// What a credential can't reach any more is asked for again and again.
    pub waits_for_access: bool,
    /// Cancelling one of several batches of a unit deletes the request document
    /// that the others are made from.
    pub deletes_shared_input: bool,
    /// The intent is written without a look at the run.
    pub claims_blindly: bool,
    /// The round that follows by itself asks for every item anew.
    pub asks_all_again: bool,
    /// An overdue batch counts as over once it was told to stop.
    pub trusts_cancel: bool,
    /// One answer that there is no such batch, or no such output, is believed.
    pub believes_once: bool,
    /// Calls are made under the claim of their unit alone, without an intent of
    /// each item's own.
    pub intends_by_unit: bool,
    /// A call whose answer was lost is made once more.
    pub calls_again: bool,
    /// What became of a call is written before its answer is in the bucket.
    pub settles_before_text: bool,
}

impl Protocol {
    /// The right one.
    pub const RIGHT: Self = Self {
        submission: Submission::Intent,
        no_grace: false,
        positional: false,
        drops_collection: false,
        plans_from_own_round: false,
        clears_at_once: false,
        stops_newer: false,
        waits_for_access: false,
        deletes_shared_input: false,
        trusts_cancel: false,
        believes_once: false,
        claims_blindly: false,
        asks_all_again: false,
        intends_by_unit: false,
        calls_again: false,
        settles_before_text: false,
    };

    /// Wrong ones, with names for people: the four of the design first, then
    /// mistakes that this simulation found in the handlers.
    pub const WRONG: [(&'static str, Self); 17] = [
        (
            "check-then-create",
            Self {
                submission: Submission::CheckThenCreate,
                ..Self::RIGHT
            },
        ),
        (
            "a lease only",
            Self {
                submission: Submission::LeaseOnly,
                ..Self::RIGHT
            },
        ),
        (
            "a list without grace",
            Self {
                no_grace: true,
                ..Self::RIGHT
            },
        ),
        (
            "mapping by position",
            Self {
                positional: true,
                ..Self::RIGHT
            },
        ),
        (
            "cancelling drops a collection",
            Self {
                drops_collection: true,
                ..Self::RIGHT
            },
        ),
        (
            "a retry planned from its own round",
            Self {
                plans_from_own_round: true,
                ..Self::RIGHT
            },
        ),
        (
            "a deleted run cleared at once",
            Self {
                clears_at_once: true,
                ..Self::RIGHT
            },
        ),
        (
            "a late sweeper stops a retry",
            Self {
                stops_newer: true,
                ..Self::RIGHT
            },
        ),
        (
            "waiting for a lost credential",
            Self {
                waits_for_access: true,
                ..Self::RIGHT
            },
        ),
        (
            "a shared request document deleted",
            Self {
                deletes_shared_input: true,
                ..Self::RIGHT
            },
        ),
        (
            "a claim that does not look at the run",
            Self {
                claims_blindly: true,
                ..Self::RIGHT
            },
        ),
        (
            "everything asked for once more",
            Self {
                asks_all_again: true,
                ..Self::RIGHT
            },
        ),
        (
            "a batch told to stop taken for stopped",
            Self {
                trusts_cancel: true,
                ..Self::RIGHT
            },
        ),
        (
            "one answer that there is nothing believed",
            Self {
                believes_once: true,
                ..Self::RIGHT
            },
        ),
        (
            "an intent for a unit of calls instead of each item",
            Self {
                intends_by_unit: true,
                ..Self::RIGHT
            },
        ),
        (
            "a call with a lost answer made again",
            Self {
                calls_again: true,
                ..Self::RIGHT
            },
        ),
        (
            "the outcome of a call before its text",
            Self {
                settles_before_text: true,
                ..Self::RIGHT
            },
        ),
    ];
}
