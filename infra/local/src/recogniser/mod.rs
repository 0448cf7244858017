//! Programs of this machine that recognise speech, as models `local/<name>`.
//!
//! Only those who start the machine name them, on the command line or in a file of theirs:
//! it is code that is run. Nothing of the api can name one. A program gets the audio as a file and answers
//! on standard output, with a text or with JSON that has a `text`.

mod parse;
mod preset;
mod process;
mod program;
mod started;
mod vendor;

pub use parse::of_file;
pub use preset::{POCKETSPHINX, pocketsphinx};
pub use program::{Output, Recogniser};
pub(crate) use vendor::connected;
