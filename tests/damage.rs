//! Words of the module that come damaged fail a case, and what only looks so does not: on simulated time against a device that plays a script.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod scripted;

use evkit_hil::diagnosis::Cause;
use evkit_hil::timeline::event::Outcome;
use rstest::rstest;
use scripted::{Scripted, passed, reports, run};

const DAMAGED: &str = "all steps passed, and 1 word of the module came damaged";

#[rstest]
#[case::a_start_up_message(b"\r\n#SYSSTRT\r\n", true)]
#[case::a_word_without_its_line_feed(b"\r\nOK\r\r\n#SIMST: 1\r\n", true)]
#[case::a_message_that_is_not_known(b"\r\n#OTHER: 1\r\n+CREG: 1,5\r\n", false)]
#[case::another_devices_text(b"booting ....\r\n3..2..1\n$GPGGA,1..2\r\n", false)]
fn a_word_that_comes_damaged_fails_the_case_unless_it_may(#[case] said: &'static [u8], #[case] is_damaged: bool) {
    let body = "steps:\n  - wait: 20 ms\n";
    let ran = run(body, reports(said), |_| {});
    match is_damaged {
        true => assert_eq!((ran.verdict.outcome, ran.verdict.step, ran.verdict.reason.as_str()), (Outcome::Failed, None, DAMAGED)),
        false => passed(&ran),
    }
    passed(&run(&format!("may-damage: true\n{body}"), reports(said), |_| {}));
}

#[rstest]
#[case::whole(b"AT+CGMR\r\r\n2.7.0\r\n\r\nOK\r\n", true)]
#[case::cut_by_messages(b"AT+\r\n#SLEEP \r\nCG\r\n#WAKEUP\r\nMR\r\r\n2.7.0\r\n\r\nOK\r\n", true)]
#[case::cut_and_not_gone_on_with(b"AT+\r\n#SLEEP \r\nMR\r\r\n2.7.0\r\n\r\nOK\r\n", false)]
#[case::changed(b"AT+CGMS\r\r\n2.7.0\r\n\r\nOK\r\n", false)]
#[case::off(b"\r\n2.7.0\r\n\r\nOK\r\n", true)]
fn an_echo_may_be_cut_by_messages_and_not_otherwise(#[case] said: &'static [u8], #[case] is_whole: bool) {
    let device = Scripted { answers: vec![(b"AT+CGMR\r", said)], ..Scripted::default() };
    let ran = run("steps:\n  - at: { command: AT+CGMR, within: 50 ms }\n", device, |_| {});
    assert_eq!(ran.verdict.outcome == Outcome::Passed, is_whole, "{:?}", ran.verdict);
    assert!(is_whole || ran.verdict.reason == DAMAGED, "{:?}", ran.verdict);
}

#[rstest]
#[case::by_itself("", b"ATNONE\r\r\nERROR\r\n")]
#[case::behind_other_bytes("  - send: { hex: '01' }\n", b"\x01ATNONE\r\r\nERROR\r\n")]
fn a_command_that_came_back_whole_was_not_damaged(#[case] before: &str, #[case] answer: &'static [u8]) {
    let body = format!("steps:\n{before}  - at: {{ command: ATNONE, within: 50 ms }}\n");
    let device = || Scripted { answers: vec![(b"ATNONE\r", answer)], ..Scripted::default() };
    let ran = run(&body, device(), |_| {});
    let cause = ran.verdict.diagnosis.as_ref().map(|found| found.cause);
    assert_eq!((ran.verdict.reason.as_str(), cause), ("ATNONE was answered ERROR", Some(Cause::NotAsExpected)), "{:?}", ran.verdict);
    passed(&run(&body.replace("within", "answer: ERROR, within"), device(), |_| {}));
}
