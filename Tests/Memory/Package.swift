// swift-tools-version: 6.3
import PackageDescription

// All code that handles memory by hand, and its tests: built with a sanitizer this small package takes a third of the time
// that the whole one would. Modules and tests are the main package's, by symbolic link.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "ostraka-memory",
    dependencies: [.package(url: "https://github.com/apple/swift-collections", from: "1.6.0")],
    targets: [
        .systemLibrary(name: "CLevelDB", providers: [.apt(["libleveldb-dev"])]),
        .target(name: "CSystemCalls"),
        module("ClusterModel", ["CSystemCalls"]),
        module("Wire", ["ClusterModel"]),
        module("LevelStore", ["ClusterModel", "CLevelDB"]),
        module(
            "DataCore", ["ClusterModel", "CSystemCalls", .product(name: "DequeModule", package: "swift-collections")]),
        tests("LevelStoreTests", ["ClusterModel", "LevelStore"]),
        tests("NodeLogTests", ["ClusterModel", "DataCore"]),
        tests("RowTests", ["ClusterModel", "DataCore"]),
        tests("WireTests", ["ClusterModel", "Wire"]),
    ]
)
