// What the connections of one thread share: libcrypto objects and the random source.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <sluice/dtls/error.h>
#include <sluice/dtls/key_log.h>
#include <sluice/dtls/packet_observer.h>
#include <sluice/dtls/random_source.h>

struct ossl_lib_ctx_st;  // libcrypto's OSSL_LIB_CTX

namespace sluice::dtls {

namespace crypto {
class Library;
}

// Fetched algorithms, reusable contexts and the random source. Make one per thread: it and
// everything made with it are used by one thread at a time. It must outlive its connections.
class Environment {
 public:
  struct Options {
    // The libcrypto library context to use; null: the process's default one. Not owned. Must be
    // null if `random` is set, which needs a library context of the Environment's own.
    ossl_lib_ctx_st* library_context = nullptr;
    // The property query of every algorithm fetch, such as "fips=yes".
    std::string property_query = {};
    // Replaces libcrypto's random generator. Not owned; must outlive the Environment.
    RandomSource* random = nullptr;
    // Receives the secrets of all connections, which decrypt their traffic. Not owned; must outlive
    // the Environment.
    KeyLog* key_log = nullptr;
    // Receives all that connections send and receive. Not owned; must outlive the Environment.
    PacketObserver* packet_observer = nullptr;
    // How many established connections keep the keyed cipher contexts of their current epoch: those
    // used last. The others make them again, in about 10 us, for a record to seal or one to open
    // that may be authentic. The contexts take 2,300 bytes per connection in DTLS 1.2 and 3,600 in
    // 1.3 (AES-GCM). Contexts of a previous epoch (RFC 9147 section 4.2.1) are not counted. 1 or
    // more.
    std::size_t max_warm_connections = 4096;
  };

  // Errors: invalid_config if the options contradict each other; libcrypto_failure if an algorithm
  // that DTLS needs is not available.
  static Result<Environment> make(const Options& options);
  static Result<Environment> make() { return make(Options{}); }

  Environment(Environment&&) noexcept;
  Environment& operator=(Environment&&) noexcept;
  ~Environment();

  // Internal: for the engine only.
  [[nodiscard]] crypto::Library& library() { return *library_; }
  [[nodiscard]] KeyLog* key_log() const { return key_log_; }
  [[nodiscard]] PacketObserver* packet_observer() const { return packet_observer_; }
  [[nodiscard]] ConnectionNumber next_connection() { return ConnectionNumber{++connections_}; }

 private:
  Environment(std::unique_ptr<crypto::Library> library, const Options& options);
  std::unique_ptr<crypto::Library> library_;
  KeyLog* key_log_;
  PacketObserver* packet_observer_;
  std::uint64_t connections_ = 0;  // number of connections made
};

}  // namespace sluice::dtls
