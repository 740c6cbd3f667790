internal import DataCore
internal import Foundation
internal import Glibc

/// What a data node's INFO shows of its process.
struct ProcessSample {
    private let executable =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    private let system: String
    private let pageBytes = max(Int(sysconf(Int32(_SC_PAGESIZE))), 1)
    private let totalMemory: Int

    init() {
        let release = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? "?"
        #if arch(x86_64)
            let machine = "x86_64"
        #elseif arch(arm64)
            let machine = "aarch64"
        #else
            let machine = "?"
        #endif
        system = "Linux \(release.split(whereSeparator: \.isNewline).first ?? "?") \(machine)"
        totalMemory = max(Int(sysconf(Int32(_SC_PHYS_PAGES))), 0) * pageBytes
    }

    /// The process as it is now; two system calls and one small file.
    func take() -> ProcessUsage {
        var usage = rusage()
        _ = unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
        func micros(_ time: timeval) -> Int64 { Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_usec) }
        let pages = ProcessMetrics.statm()
        return ProcessUsage(
            process: Int(getpid()), executable: executable, system: system,
            residentBytes: pages.count > 1 ? Int(pages[1]) * pageBytes : 0, totalMemory: totalMemory,
            userMicros: micros(usage.ru_utime), systemMicros: micros(usage.ru_stime))
    }
}
