//! Reading the list of a credential's batches.
//!
//! It is that of the whole Google project: whatever else is made there is in it,
//! with all that it brought when it was made inline. So few members are asked
//! for, in small pages, one page at a time in the process, and what comes all
//! the same is dropped while it arrives (see `sieve`).
//!
//! Whether Google takes a `fields` that reaches into an operation's metadata is
//! not known for certain. A refusal of it, or a page without what was asked
//! for, leads to a wider one and at last to none; nothing depends on its being
//! honoured.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::Value;
use time::OffsetDateTime;

use super::super::{BatchStatus, CallError, Credential, Listing, Rejection};
use super::client::{Call, Client, VERSION};
use super::errors::{self, About};
use super::fields::{MASKS, NAMES, OPERATION, PAGE};
use super::wire::{BatchPage, Operation, Unread};
use super::{batch, names};

/// Entries of a page.
const PAGE_SIZE: u32 = 20;

/// Most entries that are asked for by name in one listing, for they could not
/// be read in it.
const BY_NAME: u32 = 20;

/// Every batch created at or after `since`. All pages are read: nothing says
/// that they are in order of time, and a batch that is missed is paid twice. A
/// page that can't be read is read entry by entry, and an entry that can't be
/// is asked for by its name; only what nothing can be learned of is counted as
/// unread.
pub(super) async fn whole(
    client: &Client,
    credential: &Credential,
    since: OffsetDateTime,
) -> Result<Listing, CallError> {
    let mut walk = Walk::new(client, credential, since);
    walk.all().await?;
    Ok(Listing {
        batches: walk.found,
        unread: walk.unread,
        whole: true,
    })
}

/// Looks for batches by name, no further than to the last of them. A page that
/// can't be read is an error: each can be asked for by itself.
pub(super) async fn find(
    client: &Client,
    credential: &Credential,
    wanted: &[&str],
) -> Result<Listing, CallError> {
    let mut walk = Walk::new(client, credential, OffsetDateTime::UNIX_EPOCH);
    let whole = loop {
        let page = walk.page(PAGE_SIZE).await?;
        let more = walk.turn(&page)?;
        for entry in page.operations {
            match entry {
                Ok(operation) => walk.take(operation),
                Err(_) => walk.unread += 1,
            }
        }
        if !more {
            break true;
        }
        if wanted.iter().all(|name| walk.names.contains(*name)) {
            break false;
        }
    };
    Ok(Listing {
        whole: whole && walk.unread == 0,
        batches: walk.found,
        unread: walk.unread,
    })
}

/// A way through the pages.
struct Walk<'a> {
    client: &'a Client,
    credential: &'a Credential,
    since: OffsetDateTime,
    /// Of the page that comes next.
    token: Option<String>,
    tokens: HashSet<String>,
    /// Requests for pages that may still be made.
    left: u32,
    /// Entries that may still be asked for by name.
    by_name: u32,
    names: HashSet<String>,
    found: Vec<BatchStatus>,
    unread: usize,
}

impl<'a> Walk<'a> {
    fn new(client: &'a Client, credential: &'a Credential, since: OffsetDateTime) -> Self {
        Self {
            client,
            credential,
            since,
            token: None,
            tokens: HashSet::new(),
            left: client.config.max_list_pages,
            by_name: BY_NAME,
            names: HashSet::new(),
            found: Vec::new(),
            unread: 0,
        }
    }

    async fn all(&mut self) -> Result<(), CallError> {
        // Pages of one entry that are still to be read, around one that can't be.
        let mut singly = 0;
        loop {
            let size = if singly > 0 { 1 } else { PAGE_SIZE };
            let page = match self.page(size).await {
                Ok(page) => {
                    singly = u32::saturating_sub(singly, 1);
                    page
                }
                Err(error @ CallError::Ambiguous { .. }) if singly == 0 => {
                    tracing::warn!(credential = %self.credential.id, %error, "a page of the list of batches is read entry by entry");
                    singly = PAGE_SIZE;
                    continue;
                }
                Err(error @ CallError::Ambiguous { .. }) => {
                    singly = 0;
                    self.behind(error).await?
                }
                Err(error) => return Err(error),
            };
            let more = self.turn(&page)?;
            for entry in page.operations {
                match entry {
                    Ok(operation) => self.take(operation),
                    Err(unread) => self.ask_for(unread).await?,
                }
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// The next page.
    async fn page(&mut self, size: u32) -> Result<BatchPage, CallError> {
        let mut level = self.client.mask();
        loop {
            let mask = MASKS.get(level).copied().flatten();
            let read = self.request(size, mask).await;
            let refused = matches!(
                read,
                Err(CallError::Rejected {
                    kind: Rejection::Invalid,
                    ..
                })
            );
            if mask.is_some() && (refused || read.as_ref().is_ok_and(lacks_what_all_have)) {
                level += 1;
                continue;
            }
            if read.is_ok() {
                self.client.remember_mask(level);
            }
            return read;
        }
    }

    /// An entry that can't be read: its name, and what leads on from it. Without
    /// that the list ends here, with what was wrong.
    async fn behind(&mut self, error: CallError) -> Result<BatchPage, CallError> {
        let mut page = self.request(1, Some(NAMES)).await.map_err(|_| error)?;
        for entry in &mut page.operations {
            if let Ok(operation) = entry
                && operation.metadata.is_none()
            {
                let name = operation.name.take();
                *entry = Err(Unread { name });
            }
        }
        Ok(page)
    }

    async fn request(&mut self, size: u32, mask: Option<&str>) -> Result<BatchPage, CallError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(errors::unreadable("the list of batches has too many pages"));
        };
        self.left = left;
        let path = format!("/{VERSION}/batches");
        let mut call = Call::new(Method::GET, path, About::Other)
            .alone()
            .sifted(&PAGE)
            .query("pageSize", size.to_string());
        if let Some(mask) = mask {
            call = call.query("fields", mask);
        }
        if let Some(token) = &self.token {
            call = call.query("pageToken", token);
        }
        let page = self.client.call(self.credential, &call).await?.json()?;
        BatchPage::read(page).map_err(errors::unreadable)
    }

    /// Turns to the page behind this one, if there is one.
    fn turn(&mut self, page: &BatchPage) -> Result<bool, CallError> {
        match &page.next_page_token {
            None => Ok(false),
            Some(next) if self.tokens.insert(next.clone()) => {
                self.token = Some(next.clone());
                Ok(true)
            }
            Some(_) => Err(errors::unreadable("the list of batches goes in circles")),
        }
    }

    fn take(&mut self, operation: Operation) {
        let Some(name) = batch::name_of(&operation) else {
            if batch::has_display_name(&operation) {
                // It could be the very one that is looked for.
                self.unread += 1;
            }
            tracing::warn!(credential = %self.credential.id, "an entry of the list of batches has no name");
            return;
        };
        let status = batch::status_of(name, operation, self.credential);
        // One without a time may be new.
        let in_time = status.created_at.is_none_or(|at| at >= self.since);
        if in_time && self.names.insert(status.name.clone()) {
            self.found.push(status);
        }
    }

    /// Asks by name for an entry that can't be read in the list.
    async fn ask_for(&mut self, unread: Unread) -> Result<(), CallError> {
        let name = unread.name.filter(|_| self.by_name > 0);
        let call = name.and_then(|name| {
            let call = names::on_batch(Method::GET, &name, "").ok()?;
            Some((name, call.sifted(&OPERATION)))
        });
        let Some((name, call)) = call else {
            self.unread += 1;
            return Ok(());
        };
        self.by_name -= 1;
        let reply = self.client.call(self.credential, &call).await;
        match reply.and_then(|reply| reply.json::<serde_json::Map<String, Value>>()) {
            Ok(entry) => match Operation::read(Value::Object(entry)) {
                Ok(operation) if operation.metadata.is_some() => self.take(Operation {
                    name: Some(name),
                    ..operation
                }),
                _ => self.unread += 1,
            },
            // Gone meanwhile.
            Err(CallError::Rejected {
                kind: Rejection::NotFound,
                ..
            }) => {}
            Err(CallError::Ambiguous { .. }) => self.unread += 1,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Whether not one entry of a page has what every batch has: then it was lost to
/// the mask.
fn lacks_what_all_have(page: &BatchPage) -> bool {
    let told = |entry: &Result<Operation, Unread>| {
        let metadata = entry
            .as_ref()
            .ok()
            .and_then(|entry| entry.metadata.as_ref());
        metadata.is_some_and(|batch| batch.state.is_some() && batch.create_time.is_some())
    };
    !page.operations.is_empty() && !page.operations.iter().any(told)
}
