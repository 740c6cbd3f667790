internal import Dispatch
internal import Glibc

/// SIGTERM and SIGINT as a wish to stop: what they would do by themselves is switched off for good.
final class StopSignals {
    private let sources: [any DispatchSourceSignal]

    /// - Parameter stop: called from any thread, once for each signal.
    init(_ stop: @escaping @Sendable () -> Void) {
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: stop)
            source.resume()
            return source
        }
    }

    /// Signals are not listened to any more.
    func cancel() {
        for source in sources { source.cancel() }
    }
}
