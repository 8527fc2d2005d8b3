//! The watch for restarts: every start-up message of the application, whatever the steps look for, and whether somebody commanded it.
//!
//! The messages are `#REBOOT_RESET` after a pulse of the reset line, `#REBOOT_HOST` after a restart that the host asked for, `#REBOOT_WD: n` after a watchdog, and
//! `#SYSSTART` (sources: Easy Connect and other public hosts). They are told by whole lines, so that an echo or a text around them is none.
//!
//! `#SYSSTART` is judged by time and number: it belongs to the last commanded restart, if that is no longer ago than the application takes to start, and there is one for each (an assumption: no source
//! has seen two). `#REBOOT_RESET` was seen to
//! come only after the first command, however late that is, so it and `#REBOOT_HOST` are judged by whether a commanded restart is still without such a message.
//! `#REBOOT_WD` is never commanded.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::stop::Finding;
use crate::matcher::{Matcher, Pattern, PatternSet, PatternSource};
use crate::plan::units::show_duration;
use crate::report::escape;
use crate::time::MonoTime;

/// How many of the last bytes are kept to show a message.
const WINDOW: usize = 128;

/// The messages, as whole lines, in the order of [`Message::ALL`].
static MESSAGES: LazyLock<Arc<PatternSet>> = LazyLock::new(|| {
    compiled(&[
        r"(?m:^)#SYSSTART\r\n",
        r"(?m:^)#REBOOT_RESET(?:[ :][^\r\n]*)?\r\n",
        r"(?m:^)#REBOOT_HOST(?:[ :][^\r\n]*)?\r\n",
        r"(?m:^)#REBOOT_WD(?:[ :][^\r\n]*)?\r\n",
    ])
});

/// Commands that restart the module: `AT#BOOT` and `AT#LDRST` (source: Easy Connect), `AT#RESET=1` (source: mbed) and `AT+CFUN=n,1` (3GPP TS 27.007). They are found anywhere in
/// a line, which may be sent in pieces.
static COMMANDS: LazyLock<Arc<PatternSet>> = LazyLock::new(|| {
    compiled(&[r"(?i)#BOOT\r", r"(?i)#LDRST[^\r\n]*\r", r"(?i)#RESET *= *1[^\r\n0-9]*\r", r"(?i)\+CFUN *= *[0-9]+ *, *1[^\r\n0-9]*\r"])
});

#[expect(clippy::expect_used, reason = "the patterns are constants of this file, and a test compiles them")]
fn compiled(regexes: &[&str]) -> Arc<PatternSet> {
    let patterns = regexes.iter().map(|regex| Pattern::new(PatternSource::Regex((*regex).to_owned())));
    Arc::new(patterns.collect::<Result<Vec<_>, _>>().and_then(PatternSet::new).expect("constant patterns compile"))
}

/// A matcher whose first states are made already.
fn prepared(set: &Arc<PatternSet>) -> Matcher {
    set.prepare();
    Matcher::with_window(Arc::clone(set), WINDOW)
}

/// What a start-up message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    /// The application has started.
    Started,
    /// Why: the reset line, or the host.
    Why,
    /// A watchdog.
    Watchdog,
}

impl Message {
    const ALL: [Self; 4] = [Self::Started, Self::Why, Self::Why, Self::Watchdog];
}

/// A restart that was commanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Commanded {
    at: MonoTime,
    /// The event that commanded it; `None` when that lies before the case.
    by: Option<u64>,
    /// Whether its `#REBOOT_…` may come at any time: after the first command.
    is_told_late: bool,
}

impl Commanded {
    /// Whether what came after the stream was last seen empty at `since` can have come within the start-up time.
    fn covers(&self, since: MonoTime, start_up: Duration) -> bool {
        since < self.at + start_up
    }
}

/// The commanded restarts that a start-up message may belong to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restarts {
    last: Option<Commanded>,
    /// The last one, as long as no `#REBOOT_…` has told of it.
    untold: Option<Commanded>,
    /// The one before, which was untold when the last one was commanded: its message may be on its way, or never come.
    earlier: Option<Commanded>,
    /// How many `#SYSSTART` may come: one for the last restart, and one for the one before where that was commanded just before it.
    starts: u8,
    /// The last one is one that may have been: where another is commanded, it was not.
    is_possible: bool,
}

/// For so long after another restart was commanded a `#SYSSTART` may still be on its way from the one before: the system and the adapter hold it back.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

impl Restarts {
    /// Those of a board of which is not known what was done to it before `at`: when it was taken, or when it had restarted by itself.
    #[must_use]
    pub fn unknown_before(at: MonoTime) -> Self {
        let restart = Commanded { at, by: None, is_told_late: true };
        Self { last: Some(restart), untold: Some(restart), earlier: None, starts: 1, is_possible: false }
    }

    /// Those of a virtual board that was set up at `at`, as the event `by` says: it runs as if it had long been started, and says nothing of a start.
    fn set_up(at: MonoTime, by: u64) -> Self {
        let restart = Commanded { at, by: Some(by), is_told_late: false };
        Self { last: Some(restart), untold: None, earlier: None, starts: 0, is_possible: false }
    }

    fn command(&mut self, at: MonoTime, by: u64) {
        let restart = Commanded { at, by: Some(by), is_told_late: true };
        let is_near = self.last.is_some_and(|last| at < last.at + ON_ITS_WAY) && self.starts > 0 && !self.is_possible;
        self.is_possible = false;
        self.starts = if is_near { 2 } else { 1 };
        // What a set-up may have left to say was said before it.
        self.earlier = self.untold.replace(restart).filter(|untold| untold.is_told_late);
        self.last = Some(restart);
    }

    /// The restart that a message belongs to, before which the stream was last seen empty at `since`.
    fn behind(&mut self, message: Message, since: MonoTime, start_up: Duration) -> Option<Commanded> {
        let last = self.last?;
        match message {
            Message::Watchdog => None,
            Message::Started => {
                let starts = self.starts.checked_sub(1).filter(|_| last.covers(since, start_up))?;
                self.starts = starts;
                Some(last)
            }
            Message::Why => {
                let untold = self.untold.take().filter(|untold| untold.is_told_late || untold.covers(since, start_up));
                untold.or_else(|| self.earlier.take().filter(|_| last.covers(since, start_up)))
            }
        }
    }

    /// The same for the next case, on whose timeline the events of this one are not.
    fn without_events(self) -> Self {
        let without = |restart: Option<Commanded>| restart.map(|restart| Commanded { by: None, ..restart });
        Self { last: without(self.last), untold: without(self.untold), earlier: without(self.earlier), ..self }
    }
}

/// A start-up message that came.
#[derive(Debug)]
pub(super) struct Seen {
    /// Its line, escaped.
    pub(super) message: String,
    /// The event that commanded the restart, where it is on this timeline.
    pub(super) by: Option<u64>,
    /// Where nobody commanded the restart: what was expected, and what was seen.
    pub(super) uncommanded: Option<(String, String)>,
}

impl Seen {
    /// What fails the case where nobody commanded the restart; `read` is the event that brought the message.
    pub(super) fn finding(self, read: u64) -> Option<Finding> {
        let (expected, seen) = self.uncommanded?;
        Some(Finding::new(format!("the module restarted by itself: {}", self.message), expected, seen, vec![read]))
    }
}

/// The watch over one case.
#[derive(Debug)]
pub struct Watch {
    messages: Matcher,
    commands: Matcher,
    restarts: Restarts,
    start_up: Duration,
    /// What the stream may have held before is not looked at.
    from: MonoTime,
    /// When the last restart came that nobody commanded.
    uncommanded: Option<MonoTime>,
    /// How many restarts were commanded.
    count: u32,
    /// When the application said that it started, as long as nobody has dealt with that.
    started: Option<MonoTime>,
}

impl Watch {
    /// A watch over a board whose application takes at most `start_up` from a restart to its messages.
    #[must_use]
    pub fn new(restarts: Restarts, start_up: Duration) -> Self {
        let (messages, commands) = (prepared(&MESSAGES), prepared(&COMMANDS));
        Self { messages, commands, restarts, start_up, from: MonoTime::ZERO, uncommanded: None, count: 0, started: None }
    }

    /// A watch that sees nothing: over a board of which nothing is assumed.
    #[must_use]
    pub fn off() -> Self {
        Self { from: MonoTime::FAR_FUTURE, ..Self::new(Restarts::default(), Duration::ZERO) }
    }

    /// The board was set up anew, as the event `by` says: what it said before is no longer of interest.
    pub(super) fn set_up(&mut self, at: MonoTime, by: u64) {
        self.restarts = Restarts::set_up(at, by);
        self.started = None;
        self.from = at;
    }

    /// The board may restart for what was done to it, by the event `by`.
    pub(super) fn may_restart(&mut self, at: MonoTime, by: u64) {
        self.commanded(at, by);
        self.restarts.is_possible = true;
    }

    /// The board was made to restart by the event `by`.
    pub(super) fn commanded(&mut self, at: MonoTime, by: u64) {
        self.count = self.count.saturating_add(1);
        self.started = None;
        self.restarts.command(at, by);
    }

    /// How many restarts were commanded.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// When the application said that it started, since it was last made to restart or [`Watch::dealt_with_start`] was called.
    pub(super) fn started(&self) -> Option<MonoTime> {
        self.started
    }

    /// What was to be done after a start is done.
    pub(super) fn dealt_with_start(&mut self) {
        self.started = None;
    }

    /// When the start-up time of the last commanded restart ends. Whoever waits for longer wakes once then: what is read later has come later.
    pub(super) fn start_up_ends(&self) -> Option<MonoTime> {
        self.restarts.last.map(|last| last.at + self.start_up)
    }

    /// Takes bytes that were written until `at`, by the event `by`.
    pub(super) fn sent(&mut self, bytes: &[u8], at: MonoTime, by: u64) {
        let mut rest = bytes;
        while let Some(hit) = self.commands.feed(rest) {
            self.commanded(at, by);
            rest = &rest[hit.consumed..];
        }
    }

    /// Takes bytes that came, until one ends a start-up message; `bytes` is left with what follows that. The stream was last seen empty at `since`.
    pub(super) fn next(&mut self, bytes: &mut &[u8], since: MonoTime, at: MonoTime) -> Option<Seen> {
        while let Some(hit) = self.messages.feed(bytes) {
            *bytes = &bytes[hit.consumed..];
            if since >= self.from {
                let text = self.messages.resolve(hit).text;
                let message = escape::bytes(text.trim_ascii_end());
                return Some(self.judged(message, Message::ALL[hit.pattern], since, at));
            }
        }
        *bytes = &[];
        None
    }

    fn judged(&mut self, text: String, message: Message, since: MonoTime, at: MonoTime) -> Seen {
        let last = self.restarts.last;
        if message == Message::Started {
            self.started = Some(at);
        }
        if let Some(restart) = self.restarts.behind(message, since, self.start_up) {
            return Seen { message: text, by: restart.by, uncommanded: None };
        }
        self.uncommanded = Some(at);
        let start_up = show_duration(self.start_up);
        let expected = match message {
            Message::Watchdog => "no restart by a watchdog, which nobody commands".to_owned(),
            Message::Started => {
                format!("one start of the application for each commanded restart, within {start_up} of it (`start-up` of the board)")
            }
            Message::Why => "one such message for each commanded restart".to_owned(),
        };
        let before = match last {
            Some(last) => format!("{:.1} s after the last commanded restart", (at - last.at).as_secs_f64()),
            None => "and no restart was commanded before it".to_owned(),
        };
        let expected = format!("{expected}; a scenario in which the module may restart by itself says `may-reset: true`");
        let seen = format!("{text}, {before}");
        Seen { message: text, by: None, uncommanded: Some((expected, seen)) }
    }

    /// The commanded restarts as the next case on this board begins with them.
    #[must_use]
    pub(super) fn left(&self) -> Restarts {
        match self.uncommanded {
            // Its other messages are not the next case's affair.
            Some(at) if self.restarts.last.is_none_or(|last| last.at < at) => Restarts::unknown_before(at),
            _ => self.restarts.without_events(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_UP: Duration = Duration::from_secs(30);

    const fn s(seconds: u64) -> MonoTime {
        MonoTime::from_ns(seconds * 1_000_000_000)
    }

    /// The messages in `bytes`, and whether each was commanded.
    fn seen(watch: &mut Watch, bytes: &[u8], at: MonoTime) -> Vec<(String, bool)> {
        let mut rest = bytes;
        let mut all = Vec::new();
        while let Some(seen) = watch.next(&mut rest, at, at) {
            all.push((seen.message, seen.uncommanded.is_none()));
        }
        assert!(rest.is_empty());
        all
    }

    fn watch() -> Watch {
        Watch::new(Restarts::default(), START_UP)
    }

    #[test]
    fn what_may_have_restarted_is_one_start_with_what_is_commanded_then() {
        let mut watch = Watch::new(Restarts::default(), START_UP);
        watch.may_restart(s(10), 3);
        watch.commanded(s(10), 4);
        assert_eq!(seen(&mut watch, b"\r\n#SYSSTART\r\n", s(12)), [("#SYSSTART".to_owned(), true)]);
        assert_eq!(seen(&mut watch, b"\r\n#SYSSTART\r\n", s(20)), [("#SYSSTART".to_owned(), false)]);
    }

    #[test]
    fn whole_lines_are_messages_however_they_are_cut_and_nothing_else_is() {
        for text in [
            "AT#SYSSTART\r\r\nERROR\r\n",
            "\r\n+X: #SYSSTART\r\n",
            "\r\n#SYSSTARTED\r\n",
            "\r\n#SYSSTART",
            "\r\n#SYSSTART\r\r\nOK\r\n",
            "\r\n #REBOOT_WD: 1\r\n",
        ] {
            assert_eq!(seen(&mut watch(), text.as_bytes(), s(1)), [], "{text:?}");
        }
        let text = b"\r\n#REBOOT_WD: 1\r\n#SYSSTART\r\n\r\nOK\r\n#REBOOT_HOST\r\n";
        let all = ["#REBOOT_WD: 1", "#SYSSTART", "#REBOOT_HOST"].map(|message| (message.to_owned(), false));
        for cut in 0..text.len() {
            let mut watch = watch();
            let mut found = seen(&mut watch, &text[..cut], s(1));
            found.extend(seen(&mut watch, &text[cut..], s(1)));
            assert_eq!(found, all, "cut at {cut}");
        }
    }

    #[test]
    fn commands_restart_the_module_in_pieces_and_anywhere_in_a_line_and_others_do_not() {
        let restarts = |pieces: &[&str]| {
            let mut watch = watch();
            pieces.iter().for_each(|piece| watch.sent(piece.as_bytes(), s(1), 7));
            watch.restarts.last.is_some()
        };
        for pieces in [
            &["AT#BOOT\r"][..],
            &["\x08\x08\rAT#BOOT\r"],
            &["at#reset=1\r"],
            &["AT#RE", "SET=1", "\r"],
            &["AT+CGMR;#RESET=1\r\n"],
            &["AT#LDRST=2,2\r"],
            &["AT+CFUN=1,1\r"],
        ] {
            assert!(restarts(pieces), "{pieces:?}");
        }
        for pieces in
            [&["AT#BOOT"][..], &["AT#BOOTS\r"], &["AT#RESET=0\r"], &["AT#RESET=10\r"], &["AT#RESET?\r"], &["AT+CFUN=1\r"], &["AT\r"]]
        {
            assert!(!restarts(pieces), "{pieces:?}");
        }
    }

    #[test]
    fn a_start_belongs_to_a_restart_that_is_no_longer_ago_than_the_start_up_time() {
        let mut watch = watch();
        watch.commanded(s(10), 3);
        let by = |watch: &mut Watch, at| watch.next(&mut &b"\r\n#SYSSTART\r\n"[..], at, at).unwrap().by;
        assert_eq!(by(&mut watch, s(11)), Some(3));
        assert_eq!(by(&mut watch, s(12)), None, "one start a restart");
        watch.commanded(s(20), 4);
        assert_eq!(by(&mut watch, s(49)), Some(4));
        watch.commanded(s(100), 5);
        assert_eq!(seen(&mut watch, b"#SYSSTART\r\n", s(130)), [("#SYSSTART".to_owned(), false)]);
    }

    #[test]
    fn a_start_may_be_on_its_way_when_the_next_restart_is_commanded() {
        let mut watch = watch();
        let started = |watch: &mut Watch, at| seen(watch, b"#SYSSTART\r\n", at)[0].1;
        watch.commanded(s(10), 3);
        watch.commanded(s(10), 4);
        assert!(started(&mut watch, s(11)) && started(&mut watch, s(12)) && !started(&mut watch, s(13)));
        watch.commanded(s(20), 5);
        watch.commanded(s(22), 6);
        assert!(started(&mut watch, s(23)) && !started(&mut watch, s(24)), "the first one was cut off by the second");
    }

    #[test]
    fn a_reason_belongs_to_a_restart_that_has_none_yet_however_late() {
        let told = |watch: &mut Watch, at| seen(watch, b"\r\n#REBOOT_RESET\r\n", at)[0].1;
        let mut watch = watch();
        watch.commanded(s(10), 3);
        assert!(told(&mut watch, s(1_000)));
        assert!(!told(&mut watch, s(1_001)), "one message a restart");
        // The message of the first is still on its way when the second is commanded.
        watch.commanded(s(2_000), 4);
        watch.commanded(s(2_001), 5);
        assert!(told(&mut watch, s(2_001)) && told(&mut watch, s(2_002)) && !told(&mut watch, s(2_003)));
        // It never comes, and the second is long over.
        watch.commanded(s(3_000), 6);
        watch.commanded(s(3_001), 7);
        assert!(told(&mut watch, s(3_002)) && !told(&mut watch, s(3_040)));
    }

    #[test]
    fn a_watchdog_is_nobodys_command() {
        let mut watch = watch();
        watch.commanded(s(10), 3);
        assert_eq!(seen(&mut watch, b"\r\n#REBOOT_WD: 1\r\n", s(10)), [("#REBOOT_WD: 1".to_owned(), false)]);
    }

    #[test]
    fn a_board_that_was_set_up_is_watched_from_then_on_and_tells_no_reason_late() {
        let mut watch = watch();
        watch.set_up(s(10), 0);
        assert_eq!(seen(&mut watch, b"\r\n#REBOOT_WD: 1\r\n", s(9)), [], "of the case before");
        assert_eq!(seen(&mut watch, b"\r\n#REBOOT_RESET\r\n", s(41)), [("#REBOOT_RESET".to_owned(), false)]);
    }

    #[test]
    fn the_next_case_is_not_held_to_what_this_one_began() {
        let mut watch = watch();
        watch.commanded(s(10), 3);
        let mut next = Watch::new(watch.left(), START_UP);
        let late = next.next(&mut &b"\r\n#REBOOT_RESET\r\n"[..], s(100), s(100)).unwrap();
        assert!(late.uncommanded.is_none() && late.by.is_none());
        seen(&mut watch, b"\r\n#REBOOT_WD: 1\r\n", s(200));
        let mut next = Watch::new(watch.left(), START_UP);
        assert_eq!(seen(&mut next, b"\r\n#SYSSTART\r\n", s(201)), [("#SYSSTART".to_owned(), true)]);
    }
}
