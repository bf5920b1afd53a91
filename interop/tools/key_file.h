// The keys that a server must have again after a restart, and that the servers of a cluster share,
// in one file.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/secret.h>
#include <sluice/dtls/state_keys.h>

#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace sluice::interop::tools {

struct KeySet {
  dtls::StateKeyId state_key_id = {};
  dtls::SecretBytes state_key;      // dtls::StateKeys::kKeySize bytes
  dtls::SecretBytes ticket_keys;    // as from dtls::TicketKeys::export_keys()
  dtls::SecretBytes cookie_secret;  // as from dtls::Listener::export_cookie_secret()
};

// "sluice keys 1\n", the ID of the state key (4 bytes), the key, and the other two, each with its
// size (2 bytes) in front. Numbers are big-endian.
dtls::SecretBytes encode(const KeySet& keys);
// The error says what is wrong.
tl::expected<KeySet, std::string> decode_keys(dtls::Bytes bytes);

// Reads the file. If there is none, it is made with what `make` returns; of several processes that
// do so at once one wins, and all get its keys. Only its owner may have access to the file (mode
// 0600). The error says what is wrong.
tl::expected<KeySet, std::string> read_or_make_keys(
    const std::string& file, const std::function<tl::expected<KeySet, std::string>()>& make);

// What is to stand in the file now; empty: what stands there.
using ChangedKeys = tl::expected<std::optional<KeySet>, std::string>;
// Gives the keys of the file to `change`, and replaces the file by those that it returns; the file
// is always whole. Other processes that change it meanwhile wait, so `change` must be quick. The
// error says what is wrong; the file may have been replaced nevertheless.
tl::expected<void, std::string> change_keys(
    const std::string& file, const std::function<ChangedKeys(KeySet present)>& change);

}  // namespace sluice::interop::tools
