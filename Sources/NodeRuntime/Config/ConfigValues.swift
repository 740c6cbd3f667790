internal import ClusterModel
internal import Foundation

/// Readers of the kinds of values that several keys share.
extension ConfigLayers {
    func address(_ key: String) throws(ConfigError) -> Address? {
        try read(key, "an address such as 127.0.0.1:7410") { Address($0) }
    }

    func requiredAddress(_ key: String) throws(ConfigError) -> Address {
        _ = try required(key)
        guard let address = try address(key) else { throw ConfigError("--\(key) is missing") }
        return address
    }

    func addresses(_ key: String) throws(ConfigError) -> [Address] {
        _ = try required(key)
        return try read(key, "a list of addresses such as 127.0.0.1:7410,127.0.0.1:7420") { text in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Address(String($0)) }
            let found = parts.compactMap { $0 }
            return found.isEmpty || found.count < parts.count ? nil : found
        } ?? []
    }

    /// Bytes: `1048576`, `256MiB`, `1g`.
    func bytes(_ key: String) throws(ConfigError) -> Int? {
        try read(key, "a size such as 256MiB") { Self.bytes($0) }
    }

    static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        let factor: Int
        switch text.dropFirst(digits.count).lowercased() {
        case "", "b": factor = 1
        case "k", "kb", "kib": factor = 1 << 10
        case "m", "mb", "mib": factor = 1 << 20
        case "g", "gb", "gib": factor = 1 << 30
        case "t", "tb", "tib": factor = 1 << 40
        default: return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : bytes
    }

    func sync(_ key: String) throws(ConfigError) -> SyncMode? {
        try read(key, "always, never, or interval:MS with MS from 1 to 60000") { text in
            switch text {
            case "always": return .always
            case "never": return .never
            default:
                guard text.hasPrefix("interval:"), let milliseconds = Int(text.dropFirst(9)),
                    (1...60_000).contains(milliseconds)
                else { return nil }
                return .interval(milliseconds: milliseconds)
            }
        }
    }

    /// The content of a file that holds a secret, without the line end behind it. Never shown anywhere.
    func secret(_ key: String) throws(ConfigError) -> [UInt8]? {
        guard let path = text(key) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigError("--\(key): cannot read \(path)")
        }
        var bytes = Array(data)
        while let last = bytes.last, last == 10 || last == 13 { bytes.removeLast() }
        guard !bytes.isEmpty else { throw ConfigError("--\(key): \(path) is empty") }
        return bytes
    }

    /// An address that is not loopback is bound only with the secrets that keep strangers out.
    static func check(_ address: Address, key: String, isGuarded: Bool, needs: String) throws(ConfigError) {
        guard isLoopback(address.host) || isGuarded else {
            throw ConfigError("--\(key) \(address) is not a loopback address: give \(needs), or bind 127.0.0.1")
        }
    }

    /// Whether only this machine reaches a host: 127.0.0.0/8, ::1 and localhost. A name that only looks so is not.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in part.utf8.allSatisfy { (48...57).contains($0) } && UInt8(part) != nil }
    }
}
