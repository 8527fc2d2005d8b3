//! What a waiting step watches for beside what it waits for: `never`, and `on` with steps that do not wait.

use super::{Said, Steps, given_and_read};
use crate::document::{Cursor, Refusal};
use crate::plan::{Action, Beside, Handler, Place, Trigger};
use crate::scenario::file::{OnMap, Verb};
use crate::scenario::images::place;
use crate::scenario::patterns::{Forms, compile, never_set};

/// The streams of a board.
pub(in crate::scenario) const STREAMS: &[(&str, ())] = &[("port", ())];

/// Verbs whose steps do not wait, so that a handler can do them while its step goes on waiting.
const IN_HANDLERS: &[&str] = &["send", "reset", "line", "uart", "note"];

impl Steps<'_, '_> {
    /// What stands beside the action of a step at `at`.
    pub(super) fn beside(&mut self, verb: &Verb, said: &Said<'_>, at: Cursor<'_>) -> Option<Beside> {
        // Verbs that wait for patterns have what must not come among those.
        let among = matches!(verb, Verb::Expect(_) | Verb::Quiet(_) | Verb::All(_) | Verb::Any(_));
        let never = said.never.filter(|_| !among).map(|never| never_set(never, at, self.reader));
        let list = at.get("on");
        if said.on.is_some_and(<[_]>::is_empty) {
            self.reader.push(
                list.key_problem("`on` is empty")
                    .hint("give it handlers, `on: [ { text: \"+CEREG\", steps: [ note: registered ] } ]`, or remove it"),
            );
            return None;
        }
        let mut handlers = Vec::new();
        for (index, map) in said.on.unwrap_or_default().iter().enumerate() {
            handlers.push(self.handler(map, list.item(index), matches!(verb, Verb::Upload(_))));
        }
        Some(Beside { never: given_and_read(never)?, handlers: handlers.into_iter().collect::<Option<_>>()? })
    }

    fn handler(&mut self, map: &OnMap, at: Cursor<'_>, is_upload: bool) -> Option<Handler> {
        if let Some(stream) = &map.stream {
            self.reader.word(at.get("stream"), stream, "a stream of a board", STREAMS)?;
        }
        let forms = Forms { text: map.text.as_ref(), hex: map.hex.as_ref(), regex: map.regex.as_ref() };
        let trigger = match &map.byte {
            Some(_) if !is_upload => {
                let problem = at.get("byte").key_problem("only an `upload` sends bytes of an image");
                self.reader.push(problem.hint("give the handler a pattern: `text`, `hex` or `regex`"));
                None
            }
            Some(_) if forms.text.is_some() || forms.hex.is_some() || forms.regex.is_some() || map.stream.is_some() => {
                let problem = at.get("byte").key_problem("a handler waits for one thing");
                self.reader.push(problem.hint("give it either `byte` or a pattern; two handlers may stand in the list"));
                None
            }
            Some(text) => self.reader.value(at.get("byte"), text, sent).map(Trigger::Sent),
            None => {
                let pattern = forms.pattern(at, self.reader);
                pattern.and_then(|pattern| compile(vec![pattern], at, self.reader)).map(Trigger::Pattern)
            }
        };
        let list = at.get("steps");
        if map.steps.is_empty() {
            self.reader.push(list.key_problem("a handler without steps").hint("give it at least one: `steps: [ reset: assert ]`"));
            return None;
        }
        for step in list.items() {
            let verb = step.entries().next().unwrap_or(step);
            let name = verb.key().unwrap_or_default();
            if !IN_HANDLERS.contains(&name) {
                let verbs = IN_HANDLERS.iter().map(|verb| format!("`{verb}`")).collect::<Vec<_>>().join(", ");
                self.reader
                    .push(verb.key_problem(format!("`{name}` cannot be a handler's step")).hint(format!("its steps do not wait: {verbs}")));
                return None;
            }
        }
        // What a handler does may never happen: nothing that follows counts from it.
        let before = self.events.clone();
        let steps = self.list(&map.steps, list);
        self.events = before;
        let steps = steps?;
        let waits = steps.iter().position(|step| matches!(&step.action, Action::Send(send) if send.at.is_some()));
        if let Some(index) = waits {
            let verb = list.item(index);
            let place = verb.entries().next().unwrap_or(verb).get("at");
            self.reader.push(place.key_problem("a handler sends at once").hint("remove `at`"));
            return None;
        }
        Some(Handler { trigger: trigger?, steps: steps.into() })
    }
}

/// How much of an image must have been sent.
fn sent(text: &str) -> Result<Place, Refusal> {
    match text.parse::<u64>() {
        Ok(count) => Ok(Place::Bytes(count)),
        Err(_) => place(text),
    }
}
