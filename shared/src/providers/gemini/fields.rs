//! What is asked for of a batch, and what is kept of an answer.

use super::sieve::Keep;

/// What a page is asked to have of each batch, by how well that is known to
/// work: a description of the members; the operations without their `response`,
/// which repeats the output; everything.
pub(super) const MASKS: [Option<&str>; 3] = [
    Some(
        "nextPageToken,operations(name,done,error(code,message),\
         metadata(name,displayName,state,createTime,inputConfig/fileName,output/responsesFile),\
         response/responsesFile)",
    ),
    Some("nextPageToken,operations(name,done,error,metadata)"),
    None,
];

/// No more than what leads on from an entry that can't be read.
pub(super) const NAMES: &str = "nextPageToken,operations/name";

static SCALAR: Keep = Keep::Scalar;
static TEXTS: Keep = Keep::Each(&SCALAR);
static OUTPUT: Keep = Keep::Members {
    names: &[("responsesFile", &SCALAR), ("responses_file", &SCALAR)],
    others: false,
};
static INPUT: Keep = Keep::Members {
    names: &[("fileName", &SCALAR), ("file_name", &SCALAR)],
    others: false,
};
static STATUS: Keep = Keep::Members {
    names: &[("code", &SCALAR), ("message", &SCALAR), ("status", &SCALAR)],
    others: false,
};
static BATCH: Keep = Keep::Members {
    names: &[
        ("name", &SCALAR),
        ("displayName", &SCALAR),
        ("display_name", &SCALAR),
        ("state", &SCALAR),
        ("createTime", &SCALAR),
        ("create_time", &SCALAR),
        ("output", &OUTPUT),
        ("inputConfig", &INPUT),
        ("input_config", &INPUT),
    ],
    others: false,
};
/// What is read of an operation.
pub(super) static OPERATION: Keep = Keep::Members {
    names: &[
        ("name", &SCALAR),
        ("metadata", &BATCH),
        ("done", &SCALAR),
        ("error", &STATUS),
        ("response", &OUTPUT),
    ],
    others: false,
};
static OPERATIONS: Keep = Keep::Each(&OPERATION);
pub(super) static PAGE: Keep = Keep::Members {
    names: &[
        ("operations", &OPERATIONS),
        ("nextPageToken", &SCALAR),
        ("next_page_token", &SCALAR),
        ("unreachable", &TEXTS),
    ],
    others: true,
};
