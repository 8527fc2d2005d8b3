//! What the module will do by itself, and when.

use crate::baud::Baud;
use crate::time::MonoTime;

/// Why the application starts: decides its first message (source: Easy Connect and other public hosts).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The reset line was pulsed.
    Line,
    /// The supply came on.
    Power,
    /// The host asked for it by a command.
    Host,
    /// The watchdog.
    Watchdog,
    /// The supply broke down for a moment: a fault.
    BrownOut,
}

/// Where a restart leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restart {
    /// Into the boot window, and from there into the application.
    Window(Cause),
    /// Into the application at once.
    Application(Cause),
    /// Into the boot code, which waits for the hotkey and for nothing else (`AT#LDRST=2,2`).
    Loader,
    /// Nowhere, for the fault of this name.
    Nowhere(&'static str),
}

/// Something that happens at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// The boot window is over.
    WindowEnds,
    /// The module restarts.
    Restart(Restart),
    /// The UART changes its speed.
    Speed(Baud),
    /// The application sends a line.
    Say(&'static str),
    /// The application begins to take commands.
    Ready,
    /// The application that slept takes commands again, because of the wake line.
    Awake,
    /// The application has been idle for so long that it sleeps: a fault.
    Sleep,
    /// The module's TX is disturbed: a fault.
    Noise,
    /// The ring line is released.
    RingEnds,
    /// An upload goes on: the device asks for more, or says its result.
    Upload,
    /// The wrong port talks: a fault.
    Chatter,
    /// The host's port vanishes: a fault.
    PortGone,
    /// It comes back.
    PortBack,
}

/// Events in the order of their times; those of one time in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Agenda(Vec<(MonoTime, Event)>);

impl Agenda {
    pub(super) fn add(&mut self, at: MonoTime, event: Event) {
        let place = self.0.partition_point(|(other, _)| *other <= at);
        self.0.insert(place, (at, event));
    }

    /// Forgets every event that is this one.
    pub(super) fn remove(&mut self, event: &Event) {
        self.0.retain(|(_, other)| other != event);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// When the next event is.
    pub(super) fn due(&self) -> Option<MonoTime> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes the next event, when its time is not after `now`.
    pub(super) fn take(&mut self, now: MonoTime) -> Option<(MonoTime, Event)> {
        self.due().filter(|due| *due <= now).map(|_| self.0.remove(0))
    }
}

#[cfg(test)]
mod tests {
    use super::{Agenda, Event, MonoTime};

    #[test]
    fn events_come_by_time_and_then_in_the_order_of_adding() {
        let mut agenda = Agenda::default();
        let at = MonoTime::from_ns;
        agenda.add(at(5), Event::Say("b"));
        agenda.add(at(5), Event::Ready);
        agenda.add(at(3), Event::Say("a"));
        assert_eq!(agenda.take(at(2)), None);
        assert_eq!(agenda.take(at(9)), Some((at(3), Event::Say("a"))));
        assert_eq!(agenda.take(at(9)), Some((at(5), Event::Say("b"))));
        assert_eq!(agenda.take(at(9)), Some((at(5), Event::Ready)));
        assert_eq!(agenda.due(), None);
    }
}
