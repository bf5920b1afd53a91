// The Configs of an Environment's connections.
#pragma once

#include <cstddef>
#include <functional>
#include <unordered_set>
#include <utility>

#include <sluice/dtls/config.h>

namespace sluice::dtls {
class ConnectionIdSource;
}

namespace sluice::dtls::crypto {

class Library;

// Stores once what many connections have in common: the Config, the Library and the source of
// connection IDs. There may be a million idle connections, and each keeps one pointer in place of
// four. As the Environment, it is used by one thread at a time. Its memory stays as large as it has
// been with the most Configs.
class ConfigTable {
  struct Entry {
    ConfigPtr config;
    ConnectionIdSource* connection_ids;
    Library* library;
    mutable std::size_t uses = 0;  // no part of what is compared
  };

 public:
  // An entry, as long as it is used. Move-only; the Library must outlive it.
  class Use {
   public:
    Use(Use&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
    Use& operator=(Use&& other) noexcept {
      std::swap(entry_, other.entry_);
      return *this;
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use();

    [[nodiscard]] const ConfigOptions& options() const { return entry_->config->options(); }
    [[nodiscard]] Library& library() const { return *entry_->library; }
    // Null: random ones.
    [[nodiscard]] ConnectionIdSource* connection_ids() const { return entry_->connection_ids; }

   private:
    friend ConfigTable;
    explicit Use(const Entry& entry) : entry_(&entry) { ++entry.uses; }

    const Entry* entry_;  // null: moved from
  };

  explicit ConfigTable(Library& library) : library_(library) {}
  ConfigTable(const ConfigTable&) = delete;
  ConfigTable& operator=(const ConfigTable&) = delete;
  ~ConfigTable() = default;

  // `connection_ids`: the source of the IDs; null: random ones.
  [[nodiscard]] Use use(ConfigPtr config, ConnectionIdSource* connection_ids);

  // The entries in use.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const Entry& entry) const noexcept {
      return std::hash<const void*>()(entry.config.get()) ^
             std::hash<const void*>()(entry.connection_ids);
    }
  };
  struct Equal {
    bool operator()(const Entry& a, const Entry& b) const noexcept {
      return a.config == b.config && a.connection_ids == b.connection_ids;
    }
  };

  Library& library_;
  std::unordered_set<Entry, Hash, Equal> entries_;  // do not move in memory
};

}  // namespace sluice::dtls::crypto
