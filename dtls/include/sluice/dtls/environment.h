// What the connections of one thread share.
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

// Fetched algorithms, reusable contexts and the source of randomness. One a thread: it and all that
// was made with it are used by one thread at a time. Must outlive its connections.
class Environment {
 public:
  struct Options {
    // The libcrypto library context to work in; null is the process's default one. Not owned. Must
    // be null when `random` is given: that needs a context of the Environment's own.
    ossl_lib_ctx_st* library_context = nullptr;
    // Passed with each fetch, e.g. "fips=yes".
    std::string property_query = {};
    // Replaces libcrypto's generator. Not owned; must outlive the Environment.
    RandomSource* random = nullptr;
    // Is told the secrets of all connections, which gives their traffic away. Not owned; must
    // outlive the Environment.
    KeyLog* key_log = nullptr;
    // Is told what all connections send and receive. Not owned; must outlive the Environment.
    PacketObserver* packet_observer = nullptr;
    // How many established connections keep the keyed cipher contexts of their present epoch: those
    // used last. The others make them anew, in some 10 us, when a record comes that may be genuine,
    // or is to be sealed. libcrypto's contexts take 2,300 bytes a connection in DTLS 1.2 and 3,600
    // in 1.3 (AES-GCM). Keys of an epoch before (RFC 9147 section 4.2.1) stay for as long as they
    // must. 1 or more.
    std::size_t max_warm_connections = 4096;
  };

  // Errors: invalid_config when the options contradict each other, libcrypto_failure when an
  // algorithm that the protocol can't do without isn't to be had.
  static Result<Environment> make(const Options& options);
  static Result<Environment> make() { return make(Options{}); }

  Environment(Environment&&) noexcept;
  Environment& operator=(Environment&&) noexcept;
  ~Environment();

  // For the engine's own use.
  [[nodiscard]] crypto::Library& library() { return *library_; }
  [[nodiscard]] KeyLog* key_log() const { return key_log_; }
  [[nodiscard]] PacketObserver* packet_observer() const { return packet_observer_; }
  [[nodiscard]] ConnectionNumber next_connection() { return ConnectionNumber{++connections_}; }

 private:
  Environment(std::unique_ptr<crypto::Library> library, const Options& options);
  std::unique_ptr<crypto::Library> library_;
  KeyLog* key_log_;
  PacketObserver* packet_observer_;
  std::uint64_t connections_ = 0;  // made so far
};

}  // namespace sluice::dtls
