// swift-tools-version: 6.3
import PackageDescription

// Fuzzing needs flags that would bar others from depending on the main package, so it has a package of its own. The
// modules under test are the main package's, by symbolic link.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// One fuzz target: libFuzzer has the main function.
func fuzz(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies,
        swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])])
}

let package = Package(
    name: "ostraka-fuzz",
    dependencies: [.package(url: "https://github.com/apple/swift-collections", from: "1.6.0")],
    targets: [
        .target(name: "CSystemCalls"),
        .target(name: "ClusterModel", dependencies: ["CSystemCalls"], swiftSettings: strict),
        .target(name: "Wire", dependencies: ["ClusterModel"], swiftSettings: strict),
        .target(
            name: "DataCore",
            dependencies: [
                "ClusterModel", "CSystemCalls", .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),
        fuzz("RequestFuzz", ["ClusterModel", "Wire"]),
        fuzz("ReplyFuzz", ["ClusterModel", "Wire"]),
        fuzz("PeerFuzz", ["ClusterModel", "Wire"]),
        fuzz("LogFuzz", ["ClusterModel", "DataCore"]),
        fuzz("NodeFuzz", ["ClusterModel", "DataCore", "Wire"]),
    ]
)
