//! The board's serial port, on `serialport`, with its traps mended: framing marks kept, drain by queue and wire time, writes with deadlines of
//! their own, exclusive and never cloned, non-blocking, modes put back.

mod name;

pub use name::PortName;
