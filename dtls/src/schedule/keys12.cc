#include "schedule/keys12.h"

#include <algorithm>

#include "schedule/exporter.h"
#include "schedule/prf12.h"

namespace sluice::dtls::schedule {
namespace {

using RandomPair = std::array<std::byte, 64>;

RandomPair join(const Random& first, const Random& second) {
  RandomPair pair;
  std::ranges::copy(first, pair.begin());
  std::ranges::copy(second, pair.begin() + first.size());
  return pair;
}

Result<MasterSecret> derive_master(crypto::Library& library, HashAlgorithm hash, Bytes premaster,
                                   std::string_view label, Bytes seed) {
  MasterSecret master(MasterSecret::capacity());
  return prf12(library, hash, premaster, label, seed, master.bytes()).map([&] {
    return std::move(master);
  });
}

}  // namespace

PskPremaster psk_premaster(std::optional<Bytes> ecdhe, Bytes psk) {
  // Without ECDHE the first vector has as many zeros as the PSK has bytes (RFC 4279 section 2).
  const std::size_t other = ecdhe ? ecdhe->size() : psk.size();
  PskPremaster premaster(4 + other + psk.size());
  const MutableBytes out = premaster.bytes();
  out[1] = static_cast<std::byte>(other);
  if (ecdhe) std::ranges::copy(*ecdhe, out.begin() + 2);
  out[3 + other] = static_cast<std::byte>(psk.size());
  std::ranges::copy(psk, out.begin() + 4 + static_cast<std::ptrdiff_t>(other));
  return premaster;
}

Result<MasterSecret> master_secret(crypto::Library& library, HashAlgorithm hash, Bytes premaster,
                                   const HelloRandoms& randoms) {
  return derive_master(library, hash, premaster, "master secret",
                       join(randoms.client, randoms.server));
}

Result<MasterSecret> extended_master_secret(crypto::Library& library, HashAlgorithm hash,
                                            Bytes premaster, Bytes session_hash) {
  return derive_master(library, hash, premaster, "extended master secret", session_hash);
}

Result<TrafficKeys12> traffic_keys12(crypto::Library& library, const CipherSuite12Parameters& suite,
                                     const MasterSecret& master, const HelloRandoms& randoms) {
  const KeySizes12 sizes = key_sizes(suite);
  using Block = Secret<2 * (KeySizes12::kMaxMacKey + KeySizes12::kMaxKey + KeySizes12::kMaxIv)>;
  Block block(2 * (sizes.mac_key + sizes.key + sizes.iv));
  // In the key expansion the server's random comes first (RFC 5246 section 6.3).
  const auto expanded = prf12(library, suite.hash, master.bytes(), "key expansion",
                              join(randoms.server, randoms.client), block.bytes());
  if (!expanded) return forward_error(expanded);
  // The order is MAC keys, keys, IVs; in each pair the client's comes first.
  Bytes rest = std::as_const(block).bytes();
  const auto take = [&](std::size_t size) {
    const Bytes taken = rest.first(size);
    rest = rest.subspan(size);
    return taken;
  };
  TrafficKeys12 keys;
  keys.client.mac_key = Secret<KeySizes12::kMaxMacKey>(take(sizes.mac_key));
  keys.server.mac_key = Secret<KeySizes12::kMaxMacKey>(take(sizes.mac_key));
  keys.client.key = Secret<KeySizes12::kMaxKey>(take(sizes.key));
  keys.server.key = Secret<KeySizes12::kMaxKey>(take(sizes.key));
  keys.client.iv = Secret<KeySizes12::kMaxIv>(take(sizes.iv));
  keys.server.iv = Secret<KeySizes12::kMaxIv>(take(sizes.iv));
  return keys;
}

Result<VerifyData> verify_data12(crypto::Library& library, HashAlgorithm hash,
                                 const MasterSecret& master, Role sender, Bytes handshake_hash) {
  const std::string_view label = sender == Role::client ? "client finished" : "server finished";
  VerifyData data{};
  return prf12(library, hash, master.bytes(), label, handshake_hash, data).map([&] {
    return data;
  });
}

Result<void> export12(crypto::Library& library, HashAlgorithm hash, const MasterSecret& master,
                      const HelloRandoms& randoms, std::string_view label,
                      std::optional<Bytes> context, MutableBytes out) {
  if (auto checked = check_export(label, context); !checked) return checked;
  const RandomPair pair = join(randoms.client, randoms.server);
  if (!context) return prf12(library, hash, master.bytes(), label, pair, out);
  Buffer seed(pair.begin(), pair.end());
  seed.push_back(static_cast<std::byte>(context->size() >> 8));
  seed.push_back(static_cast<std::byte>(context->size() & 0xff));
  seed.insert(seed.end(), context->begin(), context->end());
  return prf12(library, hash, master.bytes(), label, seed, out);
}

}  // namespace sluice::dtls::schedule
