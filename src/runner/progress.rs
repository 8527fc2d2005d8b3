//! What the boards are doing now, for whoever watches. Not part of the record: everything that counts is in the timelines.

use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

/// One message from a board's thread.
#[derive(Debug)]
pub enum Message {
    /// A board began a case.
    Started {
        /// The board.
        board: String,
        /// The case.
        case: String,
        /// What the board does in it, from now on.
        doing: Doing,
    },
    /// A case has ended: its timeline is complete in `folder`.
    Ended {
        /// The board; `None` for a case that no board took.
        board: Option<String>,
        /// The timeline's folder.
        folder: PathBuf,
    },
    /// A case that did not run, of which nothing could be written either.
    Unrecorded {
        /// Why.
        reason: String,
    },
    /// A board's health case has ended: its timeline is complete in `folder`.
    Checked {
        /// The board.
        board: String,
        /// The timeline's folder.
        folder: PathBuf,
    },
    /// A phase of an examination has ended.
    Phase {
        /// Its name.
        name: &'static str,
        /// What it found.
        found: String,
    },
    /// A person is asked something, and nothing else may be drawn over it.
    Asked {
        /// The question.
        question: String,
    },
    /// The question no longer stands: it was answered, or withdrawn.
    Answered,
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

/// What a board does now: its thread writes it, and whoever draws it looks when it is time to draw. Writing wakes nobody: it lies on the way from one step to
/// the next, and a message there costs the board's thread some 20 µs.
#[derive(Debug, Clone, Default)]
pub struct Doing(Arc<Mutex<Activity>>);

/// A step of a board.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activity {
    /// Its number, from 1; 0 before the first.
    pub number: usize,
    /// Of how many.
    pub of: usize,
    /// What is done, in a few words.
    pub text: String,
}

impl Doing {
    /// What the board does now.
    #[must_use]
    pub fn now(&self) -> Activity {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, number: usize, of: usize, text: &str) {
        let mut activity = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        activity.number = number;
        activity.of = of;
        text.clone_into(&mut activity.text);
    }
}

/// Where a board's thread says what it does.
#[derive(Debug, Clone)]
pub struct Progress {
    board: String,
    doing: Doing,
    sender: Sender<Message>,
}

impl Progress {
    /// Messages of `board` go to `sender`; when nobody listens any more they are dropped.
    #[must_use]
    pub fn new(board: &str, sender: Sender<Message>) -> Self {
        Self { board: board.to_owned(), doing: Doing::default(), sender }
    }

    /// A case begins.
    pub fn started(&self, case: &str) {
        self.doing.set(0, 0, "");
        self.send(Message::Started { board: self.board.clone(), case: case.to_owned(), doing: self.doing.clone() });
    }

    /// The board does something: step `number` of `of`.
    pub fn doing(&self, number: usize, of: usize, text: &str) {
        self.doing.set(number, of, text);
    }

    /// A case ended.
    pub fn ended(&self, folder: PathBuf) {
        self.send(Message::Ended { board: Some(self.board.clone()), folder });
    }

    /// The board's health case ended.
    pub fn checked(&self, folder: PathBuf) {
        self.send(Message::Checked { board: self.board.clone(), folder });
    }

    /// A phase of an examination ended.
    pub fn phase(&self, name: &'static str, found: &str) {
        self.send(Message::Phase { name, found: found.to_owned() });
    }

    /// A person is asked something.
    pub fn asks(&self, question: &str) {
        self.send(Message::Asked { question: question.to_owned() });
    }

    /// The question no longer stands.
    pub fn answered(&self) {
        self.send(Message::Answered);
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
