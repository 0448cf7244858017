//! `score`: hypotheses against references, on this machine.

mod command;
mod compare;
mod count;
mod digest;
mod figures;
mod page;
mod show;
mod sides;
mod silence;
mod told;
mod unscored;

pub use command::run;
pub use compare::{Compared, NOBODY, compare, known_speakers, speakers};
pub use count::{One, Scored, System, Told, count, is_in};
pub use figures::{CountsOf, Ends, SystemOf};
pub use page::worst;
pub use show::{interval, of_pairs, percent, points, probability};
pub use sides::{read, wanted};
pub use silence::{is_silent, shown, shown_interval};
