//! What the boards are doing now, for whoever watches. Not part of the record: everything that counts is in the timelines.

use std::path::PathBuf;
use std::sync::mpsc::Sender;

/// One message from a board's thread.
#[derive(Debug)]
pub enum Message {
    /// A board began a case.
    Started {
        /// The board.
        board: String,
        /// The case.
        case: String,
    },
    /// A board does something.
    Doing {
        /// The board.
        board: String,
        /// The number of its step, from 1.
        number: usize,
        /// Of how many.
        of: usize,
        /// What, in a few words.
        text: String,
    },
    /// A case has ended: its timeline is complete in `folder`.
    Ended {
        /// The board; `None` for a case that no board took.
        board: Option<String>,
        /// The timeline's folder.
        folder: PathBuf,
    },
    /// A board was given up: it takes no more cases.
    GivenUp {
        /// The board.
        board: String,
        /// Why.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
}

/// Where a board's thread says what it does.
#[derive(Debug, Clone)]
pub struct Progress {
    board: String,
    sender: Sender<Message>,
}

impl Progress {
    /// Messages of `board` go to `sender`; when nobody listens any more they are dropped.
    #[must_use]
    pub fn new(board: &str, sender: Sender<Message>) -> Self {
        Self { board: board.to_owned(), sender }
    }

    /// A case begins.
    pub fn started(&self, case: &str) {
        self.send(Message::Started { board: self.board.clone(), case: case.to_owned() });
    }

    /// The board does something: step `number` of `of`.
    pub fn doing(&self, number: usize, of: usize, text: &str) {
        self.send(Message::Doing { board: self.board.clone(), number, of, text: text.to_owned() });
    }

    /// A case ended.
    pub fn ended(&self, folder: PathBuf) {
        self.send(Message::Ended { board: Some(self.board.clone()), folder });
    }

    /// The board is given up.
    pub fn given_up(&self, reason: &str, hint: Option<String>) {
        self.send(Message::GivenUp { board: self.board.clone(), reason: reason.to_owned(), hint });
    }

    fn send(&self, message: Message) {
        // The listener outlives the boards; if it is gone the run is ending and nobody is left to tell.
        let _ = self.sender.send(message);
    }
}
