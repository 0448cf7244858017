//! `score`: hypotheses against references, on this machine.

mod command;
mod compare;
mod count;
mod figures;
mod page;
mod show;
mod sides;
mod told;

pub use command::run;
pub use compare::{Compared, compare, speakers};
pub use count::{One, Scored, System, count, is_in};
pub use figures::{CountsOf, Ends, SystemOf};
pub use show::{interval, percent, points, probability, rate, sentence};
pub use sides::{read, wanted};
