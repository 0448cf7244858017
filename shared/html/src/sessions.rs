//! Browsers that are signed in, for those who may end their sessions.

use crate::figures::minute;
use crate::invisible::visible;

/// A session that is good now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The name given at sign-in.
    pub person: String,
    /// Name of the key that it was begun with.
    pub key: String,
    /// When it began.
    pub since: String,
    /// When it ends by itself.
    pub until: String,
}

/// The list of sessions.
#[derive(Debug, Clone, Copy)]
pub struct Sessions<'a> {
    /// A page of those there are, newest first.
    pub list: &'a [Session],
    /// Address of the next page.
    pub older: Option<&'a str>,
    /// The session of the visitor.
    pub own: &'a str,
}

pub(crate) struct Row<'a> {
    pub id: &'a str,
    pub person: String,
    pub key: String,
    pub since: String,
    pub until: String,
    pub is_own: bool,
}

impl<'a> Sessions<'a> {
    pub(crate) fn rows(self) -> Vec<Row<'a>> {
        let row = |session: &'a Session| Row {
            id: &session.id,
            person: visible(&session.person).into_owned(),
            key: visible(&session.key).into_owned(),
            since: minute(&session.since),
            until: minute(&session.until),
            is_own: session.id == self.own,
        };
        self.list.iter().map(row).collect()
    }
}
