internal import CSystemCalls
internal import Glibc
internal import Synchronization

/// How other threads hand things to the reactor: a locked list and an eventfd, one wake-up for all that gathers.
final class Mailbox<Message>: @unchecked Sendable {
    private let lock = Mutex<[Unchecked]>([])
    /// For the poller.
    let descriptor: Int32

    /// Messages are handed over whole: the sender keeps no reference that it uses.
    private struct Unchecked: @unchecked Sendable { let message: Message }

    /// nil when the system has no descriptor left.
    init?() {
        descriptor = ostraka_eventfd_create()
        guard descriptor >= 0 else { return nil }
    }

    deinit { _ = close(descriptor) }

    func post(_ message: Message) {
        let boxed = Unchecked(message: message)
        let wasEmpty = lock.withLock { list in
            list.append(boxed)
            return list.count == 1
        }
        if wasEmpty { _ = ostraka_eventfd_signal(descriptor) }
    }

    /// All messages, in the order they were posted.
    func take() -> [Message] {
        _ = ostraka_eventfd_drain(descriptor)
        return lock.withLock { list in
            let taken = list
            list = []
            return taken
        }.map(\.message)
    }
}
