//! How audio gets to a vendor.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

pub use crate::domain::upload::StagedInput;

/// Bytes as they arrive from storage or a vendor.
pub type ByteStream = BoxStream<'static, std::io::Result<Bytes>>;

/// How a vendor gets the audio of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioBy {
    /// It is put into the vendor's own store first, once for each file and
    /// credential: the vendor's jobs have an audio store.
    Staged,
    /// The vendor reads the object in our bucket by itself.
    Stored,
    /// The vendor fetches a presigned URL.
    Url,
    /// The bytes go along with the request.
    Bytes,
}

/// Opens the bytes of an audio object from an offset. Streams, so that no
/// file is ever whole in memory; may be called again to resume.
#[async_trait]
pub trait AudioSource: Send + Sync {
    /// Length in bytes.
    fn len(&self) -> u64;
    /// True for an empty object.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// SHA-256 of the whole, when it is known without reading it. Used to
    /// tell an input that is at the vendor already from another one of the
    /// same length.
    fn sha256(&self) -> Option<[u8; 32]> {
        None
    }
    /// The bytes `[start, end)`.
    async fn open(&self, start: u64, end: u64) -> std::io::Result<ByteStream>;
}

/// Where the audio of one item is for its vendor: by the vendor's [`AudioBy`].
#[derive(Clone)]
pub enum ItemAudio {
    /// In the vendor's store.
    Staged(StagedInput),
    /// In our bucket.
    Stored {
        /// Name of the bucket.
        bucket: String,
        /// Key of the object.
        key: String,
        /// Its version, where the bucket has versions.
        version: Option<String>,
    },
    /// Behind a URL that can be fetched without credentials, for a while.
    Url(String),
    /// To be read and sent along.
    Bytes(Arc<dyn AudioSource>),
}

/// Without addresses: a presigned URL is a permission.
impl fmt::Debug for ItemAudio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Staged(_) => "Staged",
            Self::Stored { .. } => "Stored",
            Self::Url(_) => "Url",
            Self::Bytes(_) => "Bytes",
        })
    }
}
