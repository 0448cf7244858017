//! Pieces of recordings, cut without loss.
//!
//! The sound of a WAV file lies there sample by sample, so a piece of it is a header and
//! some of its bytes. FLAC becomes WAV first; its checksum says that nothing was lost. The
//! other formats would have to be encoded again, and are not cut.

mod flac;
mod wave;

pub use flac::{NotDecoded, flac_to_wav};
pub use wave::{Pcm16, Piece, Sound, Wave, wave};
