import Foundation
import Synchronization

/// This program once more, as a process of its own: what it says is given on line by line, and it is ended when it says
/// nothing for too long.
final class WorkerProcess: Sendable {
    enum End {
        case exited(Int32)
        case hung
        case notStarted(String)
    }

    private let arguments: [String]
    private let patience: Double

    /// - Parameter patience: seconds without a line after which it is said to hang.
    init(arguments: [String], patience: Double) {
        self.arguments = arguments
        self.patience = patience
    }

    /// A world lives on many small blocks of memory: they stay at hand, unless somebody has said otherwise.
    private static let environment = ["GLIBC_TUNABLES": "glibc.malloc.tcache_count=2000"]
        .merging(ProcessInfo.processInfo.environment) { _, given in given }

    /// Runs it to its end.
    func run(_ line: (String) -> Void) -> End {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.environment = Self.environment
        let pipe = Pipe()
        process.standardOutput = pipe
        do {
            try process.run()
        } catch {
            return .notStarted("\(error)")
        }
        let watch = Watch(process, patience: patience)
        defer { watch.end() }
        var rest = Data()
        while true {
            let bytes = pipe.fileHandleForReading.availableData
            if bytes.isEmpty { break }
            rest.append(bytes)
            while let end = rest.firstIndex(of: 10) {
                let text = String(decoding: rest[rest.startIndex..<end], as: UTF8.self)
                rest = Data(rest[(end + 1)...])
                watch.note()
                line(text)
            }
        }
        process.waitUntilExit()
        if watch.hasEnded { return .hung }
        let isWhole = process.terminationReason == .exit
        return .exited(isWhole ? process.terminationStatus : -process.terminationStatus)
    }
}

/// Ends a worker that says nothing for too long.
private final class Watch: Sendable {
    private let process: Process
    private let patience: Double
    private let state = Mutex((last: Date(), isOver: false, hasEnded: false))

    init(_ process: Process, patience: Double) {
        self.process = process
        self.patience = patience
        look()
    }

    func note() { state.withLock { $0.last = Date() } }
    func end() { state.withLock { $0.isOver = true } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    private func look() {
        DispatchQueue.global().asyncAfter(deadline: .now() + 5) { [self] in
            let goesOn = state.withLock { state in
                if state.isOver { return false }
                if Date().timeIntervalSince(state.last) > patience {
                    state.hasEnded = true
                    process.terminate()
                    return false
                }
                return true
            }
            if goesOn { look() }
        }
    }
}
