import Dispatch
import Glibc

/// Ctrl-C while a verb waits for what is already under way in the cluster: the verb ends, the work goes on there.
final class Detachment {
    private let source: any DispatchSourceSignal

    /// From now on SIGINT ends the program with `stillRunning`, until `end`.
    ///
    /// - Parameter hint: the command that shows how far the work is.
    init(hint: String) {
        signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            Terminal.endProgress()
            Terminal.complain("shardctl: detached, it goes on in the cluster: \(hint)")
            exit(ExitStatus.stillRunning.rawValue)
        }
        source.resume()
    }

    func end() {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
