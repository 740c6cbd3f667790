internal import CSystemCalls
internal import Glibc

/// epoll as the reactor uses it: level-triggered, 64 bits of its owner's choice with each descriptor.
@safe final class Poller {
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let read = Interest(rawValue: OSTRAKA_EPOLLIN)
        static let write = Interest(rawValue: OSTRAKA_EPOLLOUT)
    }

    private let descriptor: Int32
    private let events: UnsafeMutablePointer<ostraka_event>
    private static let capacity = 512

    /// nil when the system has no descriptor left.
    init?() {
        descriptor = ostraka_epoll_create()
        guard descriptor >= 0 else { return nil }
        unsafe events = UnsafeMutablePointer<ostraka_event>.allocate(capacity: Self.capacity)
        unsafe events.initialize(repeating: ostraka_event(events: 0, data: 0), count: Self.capacity)
    }

    deinit {
        unsafe events.deallocate()
        _ = close(descriptor)
    }

    /// Returns whether the system took it.
    @discardableResult
    func add(_ socket: Int32, _ interest: Interest, _ data: UInt64) -> Bool {
        ostraka_epoll_add(descriptor, socket, interest.rawValue, data) == 0
    }

    func modify(_ socket: Int32, _ interest: Interest, _ data: UInt64) {
        _ = ostraka_epoll_modify(descriptor, socket, interest.rawValue, data)
    }

    func remove(_ socket: Int32) { _ = ostraka_epoll_remove(descriptor, socket) }

    /// Waits at most so long and hands out what is ready. A descriptor in error counts as readable and writable, so that
    /// the next call on it tells the error.
    @inline(__always)
    func wait(milliseconds: Int32, _ body: (UInt64, _ isReadable: Bool, _ isWritable: Bool) -> Void) {
        let count = unsafe ostraka_epoll_wait(descriptor, events, Int32(Self.capacity), milliseconds)
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let event = unsafe events[index]
            let isBroken = event.events & (OSTRAKA_EPOLLERR | OSTRAKA_EPOLLHUP) != 0
            body(
                event.data, isBroken || event.events & OSTRAKA_EPOLLIN != 0,
                isBroken || event.events & OSTRAKA_EPOLLOUT != 0)
        }
    }
}
