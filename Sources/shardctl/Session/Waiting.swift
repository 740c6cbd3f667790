import ClusterModel

/// Polls until something holds, with a progress line on a terminal. Ctrl-C detaches.
enum Waiting {
    /// The longest wait of a verb.
    static let bound = Duration.seconds(60)

    /// - Parameters:
    ///   - hint: the command that shows how far it is, for who detaches.
    ///   - look: one look; nil = it holds, else the progress to show.
    /// - Returns: whether it held before the bound.
    static func until(
        within bound: Duration = bound, hint: String, _ look: () async throws -> String?
    ) async throws -> Bool {
        let detachment = Detachment(hint: hint)
        defer { detachment.end() }
        let deadline = ContinuousClock.now + bound
        var pause = Duration.milliseconds(50)
        while true {
            guard let progress = try await look() else {
                Terminal.endProgress()
                return true
            }
            Terminal.progress(progress)
            guard ContinuousClock.now + pause < deadline else {
                Terminal.endProgress()
                return false
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 3 / 2, .milliseconds(500))
        }
    }
}
