internal import NIOCore
internal import Synchronization

/// Fulfils a promise by the first of several who may, from any thread.
final class Once<Value: Sendable>: Sendable {
    private let promise: Mutex<EventLoopPromise<Value>?>

    init(_ promise: EventLoopPromise<Value>) { self.promise = Mutex(promise) }

    func give(_ value: Value) {
        let taken = promise.withLock { held in
            defer { held = nil }
            return held
        }
        taken?.succeed(value)
    }
}
