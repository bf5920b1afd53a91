// Files of secrets: only their owner has access to them, and each is whole or not there.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/secret.h>
#include <sluice/udp/descriptor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace sluice::interop::common {

// Each error says what is wrong, and with which file.
template <class T>
using FileResult = tl::expected<T, std::string>;

// With the reason of the last system call.
tl::unexpected<std::string> file_error(const std::string& file);
tl::unexpected<std::string> file_error(const std::string& file, const std::string& what);

// Empty: there is no such file. One that others have access to is an error, and so is one above
// `max_size` bytes.
FileResult<std::optional<dtls::SecretBytes>> read_private_file(const std::string& file,
                                                               std::size_t max_size);
// Mode 0600. False: there is such a file already.
FileResult<bool> make_private_file(const std::string& file, dtls::Bytes bytes);
// Whether a file survives a stop of the machine, which takes some milliseconds to ensure.
enum class Durability : std::uint8_t { process, machine };
// In place of the present file, if there is one.
FileResult<void> replace_private_file(const std::string& file, dtls::Bytes bytes,
                                      Durability durability = Durability::machine);

// Only this process has it until the descriptor is closed. Not open: another one has it.
FileResult<udp::Descriptor> try_lock_file(const std::string& file);

}  // namespace sluice::interop::common
