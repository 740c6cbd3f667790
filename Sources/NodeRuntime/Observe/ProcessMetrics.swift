internal import ClusterModel
internal import Foundation
internal import Glibc

/// What Prometheus's own clients show of every process, and the version.
public enum ProcessMetrics {
    public static let source = {
        // A static value is made when it is first used: now, at the start, and not at the first scrape.
        _ = started
        return MetricsSource.now { families() }
    }()

    private static let started = Date().timeIntervalSince1970

    static func families() -> [MetricFamily] {
        var families = [
            MetricFamily(
                "process_start_time_seconds", .gauge, help: "Start of the process, in seconds since 1970.", started)
        ]
        let pages = statm()
        if pages.count > 1 {
            let size = Double(sysconf(Int32(_SC_PAGESIZE)))
            families += [
                MetricFamily(
                    "process_virtual_memory_bytes", .gauge, help: "Virtual memory, in bytes.", pages[0] * size),
                MetricFamily(
                    "process_resident_memory_bytes", .gauge, help: "Resident memory, in bytes.", pages[1] * size),
            ]
        }
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            families.append(
                MetricFamily("process_open_fds", .gauge, help: "Open file descriptors.", Double(open.count)))
        }
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            families.append(
                MetricFamily(
                    "process_max_fds", .gauge, help: "The limit of open file descriptors.", Double(limit.rlim_cur)))
        }
        var usage = rusage()
        if unsafe getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
            func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
            families.append(
                MetricFamily(
                    "process_cpu_seconds_total", .counter, help: "Processor time spent, user and system, in seconds.",
                    seconds(usage.ru_utime) + seconds(usage.ru_stime)))
        }
        return families
    }

    static func statm() -> [Double] {
        guard let data = FileManager.default.contents(atPath: "/proc/self/statm") else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: " ").compactMap { Double($0) }
    }
}
